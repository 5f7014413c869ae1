/** Counts the commands that a scope's WebGPU devices are given, and destroys a device at one of them. */
export interface DeviceFaults {
  /** Commands since the last call of `destroyAt`, or since the beginning. */
  readonly commands: number;
  /** Devices that were opened and are neither destroyed nor closed. */
  readonly liveDevices: number;
  /** Begins to count anew; the newest device is destroyed when it, or its buffers, get the command of this number. */
  destroyAt(command: number): void;
}

/**
 * Makes every call that a device, its queue, encoders and buffers are given count as a command. It refers to nothing
 * outside itself, so that its text can be put before a worker's.
 */
export function installDeviceFaults(scope: Pick<typeof globalThis, "GPUAdapter">): DeviceFaults {
  const prototypes = scope as unknown as Record<string, { prototype: Record<string, unknown> }>;
  const faults = { commands: 0, target: Number.POSITIVE_INFINITY, devices: new Set<GPUDevice>() };
  let newest: GPUDevice | undefined;

  function patch(kind: string, name: string, before: (self: unknown) => void, after?: (result: unknown) => void): void {
    const { prototype } = prototypes[kind] as { prototype: Record<string, unknown> };
    const original = prototype[name] as (...args: unknown[]) => unknown;
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      before(this);
      const result = original.apply(this, args);
      after?.(result);
      return result;
    };
  }

  const count = () => {
    if (++faults.commands === faults.target) newest?.destroy();
  };
  for (const kind of ["GPUDevice", "GPUQueue", "GPUCommandEncoder", "GPUComputePassEncoder", "GPUBuffer"]) {
    const { prototype } = prototypes[kind] as { prototype: object };
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const isCommand = typeof value === "function" && !/^(constructor|destroy|.*Event.*)$/.test(name);
      if (isCommand) patch(kind, name, count);
    }
  }
  patch("GPUDevice", "destroy", (device) => void faults.devices.delete(device as GPUDevice));
  patch(
    "GPUAdapter",
    "requestDevice",
    () => {},
    (opening) => {
      void (opening as Promise<GPUDevice>).then((device) => {
        newest = device;
        faults.devices.add(device);
      });
    },
  );
  return {
    get commands() {
      return faults.commands;
    },
    get liveDevices() {
      return faults.devices.size;
    },
    destroyAt(command) {
      faults.commands = 0;
      faults.target = command;
    },
  };
}
