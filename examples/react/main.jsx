// Shows how a model is opened, and runs it when asked to.
import { useSession } from "nearside/react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import model from "../models/digits/saved_model?nearside";

function Digits() {
  const { session, progress, error } = useSession(model, { backend: ["webgpu", "wasm"] });
  const [answer, setAnswer] = useState("");
  if (error) return <p>{error.message}</p>;
  if (!session) return <p>{progress?.loadedBytes ?? 0} bytes</p>;

  async function read() {
    const image = { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(28 * 28) };
    const { probabilities } = await session.run({ image });
    setAnswer(`${session.backend}: ${probabilities.data.length} probabilities`);
  }
  return (
    <button type="button" onClick={read}>
      {answer || "Read an empty image"}
    </button>
  );
}

createRoot(document.querySelector("main")).render(
  <StrictMode>
    <Digits />
  </StrictMode>,
);
