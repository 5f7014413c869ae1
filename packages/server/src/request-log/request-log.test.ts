import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensors } from "@nearside/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeSession } from "../../testing/fake-repository.ts";
import type { FinishedCall } from "../monitoring/finished-call.ts";
import { decodeProto } from "../protobuf/codec.ts";
import { fromTensorProto } from "../protobuf/tensor-proto.ts";
import { readRecords } from "../protobuf/tf-record.ts";
import type { RequestLogConfig } from "../repository/model-config.ts";
import type { ServerEvent } from "../server-event.ts";
import { RequestLog } from "./request-log.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-request-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

const spec = { x: { dtype: "float32", shape: [null] } } as const;
const inputs: Tensors = { x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } };

/** A log of the model `m`, whose session echoes, and what it tells. */
function logOf(requestLog: RequestLogConfig | undefined, model = "m") {
  const records: boolean[] = [];
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent) => events.push(event);
  const log = new RequestLog({ tags: ["serve"], onRecord: (_model, isWritten) => records.push(isWritten), onEvent });
  log.configure([{ name: model, basePath: "/m", ...(requestLog && { requestLog }) }]);
  const place = { model, version: 7n, signature: "twice", path: "/m/7" };
  const echo = fakeSession({ inputs: spec, outputs: spec }, (given) => given);
  return { log, records, events, session: log.watch(echo, place) };
}

async function logsIn(file: string) {
  return readRecords(await readFile(file), file).map((bytes) =>
    decodeProto("tensorflow.serving.PredictionLog", bytes, file),
  );
}

describe("a request log", () => {
  test("writes requests and answers as TensorFlow Serving's PredictionLogs, for nobody else to read", async () => {
    const { log, records, session } = logOf({ samplingRate: 1, filenamePrefix: join(folder, "requests-") }, "a/b");
    expect(await session.run(inputs, { outputs: ["x"] })).toEqual(inputs);
    await log.close();
    const [name = ""] = await readdir(folder);
    expect(name).toMatch(/^requests-a%2Fb-\d{8}T\d{9}Z-\d+\.tfrecord$/);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    const [{ logMetadata, predictLog } = {}, ...others] = await logsIn(join(folder, name));
    expect(others).toEqual([]);
    expect(logMetadata).toMatchObject({ samplingConfig: { samplingRate: 1 }, savedModelTags: ["serve"] });
    expect(predictLog?.request?.modelSpec).toMatchObject({
      name: "a/b",
      version: { value: 7n },
      signatureName: "twice",
    });
    expect(predictLog?.request?.outputFilter).toEqual(["x"]);
    const sent = predictLog?.request?.inputs.get("x");
    const answered = predictLog?.response?.outputs.get("x");
    for (const proto of [sent, answered]) expect(proto && fromTensorProto(proto, "x")).toEqual(inputs.x);
    expect(records).toEqual([true]);
  });

  test("keeps the part that is to be kept, and none of what fails", async () => {
    const { log, records, session } = logOf({ samplingRate: 0.25, filenamePrefix: join(folder, "r-") });
    for (let count = 0; count < 100; count++) await session.run(inputs);
    const failing = log.watch(
      fakeSession({ inputs: spec, outputs: spec }, () => Promise.reject(new Error("broken"))),
      { model: "m", version: 7n, signature: "s", path: "/m/7" },
    );
    for (let count = 0; count < 4; count++) await expect(failing.run(inputs)).rejects.toThrow("broken");
    await log.close();
    const [name = ""] = await readdir(folder);
    expect(await logsIn(join(folder, name))).toHaveLength(25);
    expect(records).toHaveLength(25);
  });

  test("does from then on what another configuration says", async () => {
    const { log, session } = logOf(undefined);
    await session.run(inputs);
    log.configure([{ name: "m", basePath: "/m", requestLog: { samplingRate: 1, filenamePrefix: join(folder, "r-") } }]);
    await session.run(inputs);
    log.configure([]);
    await session.run(inputs);
    await log.close();
    const [name = "", ...others] = await readdir(folder);
    expect([await logsIn(join(folder, name)), others]).toEqual([[expect.anything()], []]);
  });

  test("answers, and tells once, where it can't write", async () => {
    const { log, records, events, session } = logOf({ samplingRate: 1, filenamePrefix: join(folder, "none", "r-") });
    for (let count = 0; count < 3; count++) expect(await session.run(inputs)).toEqual(inputs);
    await log.close();
    expect(records).toEqual([false, false, false]);
    expect(events).toEqual([
      {
        type: "request-log",
        model: "m",
        error: expect.objectContaining({ message: expect.stringContaining("ENOENT") }),
      },
    ]);
  });

  test("answers, and tells, where a request can't be encoded, or its file can't have such a name", async () => {
    const unreadable = logOf({ samplingRate: 1, filenamePrefix: join(folder, "r-") });
    const data = Float32Array.of(1, 2);
    const handedOver: Tensors = { x: { dtype: "float32", shape: [2], data } };
    structuredClone(null, { transfer: [data.buffer] });
    const unnameable = logOf({ samplingRate: 1, filenamePrefix: join(folder, "r\0") });
    for (const [{ log, records, events, session }, given] of [
      [unreadable, handedOver],
      [unnameable, inputs],
    ] as const) {
      expect(await session.run(given)).toEqual(given);
      await log.close();
      expect(records).toEqual([false]);
      expect(events).toMatchObject([{ type: "request-log", model: "m" }]);
    }
  });

  test("tells once of a model whose files can't be written, while another's can", async () => {
    const events: ServerEvent[] = [];
    let written = (): void => {};
    const onEvent = (event: ServerEvent) => void events.push(event);
    const log = new RequestLog({ onRecord: () => written(), onEvent });
    const requestLog = (path: string) => ({ samplingRate: 1, filenamePrefix: join(folder, path) });
    log.configure([
      { name: "bad", basePath: "/bad", requestLog: requestLog("none/r-") },
      { name: "good", basePath: "/good", requestLog: requestLog("r-") },
    ]);
    const echo = fakeSession({ inputs: spec, outputs: spec }, (given) => given);
    for (const model of ["bad", "good", "bad", "good", "bad"]) {
      const isWritten = new Promise<void>((resolve) => {
        written = resolve;
      });
      await log.watch(echo, { model, version: 7n, signature: "s", path: "/7" }).run(inputs);
      await isWritten;
    }
    await log.close();
    expect(events).toMatchObject([{ type: "request-log", model: "bad" }]);
  });

  test("without files picks the calls that the server's log is to have", () => {
    const { log } = logOf({ samplingRate: 0.5 });
    const call = (model: string | null) => ({ model }) as FinishedCall; // of which no more is looked at
    const picked = [call("m"), call("m"), call("other"), call(null), call("m"), call("m")].map((each) =>
      log.mark(each),
    );
    expect(picked.map(({ isSampled }) => isSampled)).toEqual([
      ...[undefined, true, undefined],
      ...[undefined, undefined, true],
    ]);
  });
});
