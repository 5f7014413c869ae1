const maxEntries = 4096;

/**
 * Bind groups by pipeline and buffers. A pool hands out the same buffers from run to run, so that most have been made
 * before, and to make one costs more than all else of a command.
 */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #layouts = new WeakMap<GPUComputePipeline, GPUBindGroupLayout>();
  /** Numbers that no other object ever gets, so that a group is never taken for one of buffers that are gone. */
  readonly #numbers = new WeakMap<object, number>();
  #lastNumber = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The group that binds these buffers to a pipeline's bindings, in order. */
  of(pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
    let key = String(this.#numberOf(pipeline));
    for (const buffer of buffers) key += ` ${this.#numberOf(buffer)}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= maxEntries) this.#groups.clear(); // commands that use one hold it themselves
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = this.#device.createBindGroup({ layout: this.#layoutOf(pipeline), entries });
    this.#groups.set(key, group);
    return group;
  }

  #numberOf(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    this.#numbers.set(object, ++this.#lastNumber);
    return this.#lastNumber;
  }

  #layoutOf(pipeline: GPUComputePipeline): GPUBindGroupLayout {
    const known = this.#layouts.get(pipeline);
    if (known !== undefined) return known;
    const layout = pipeline.getBindGroupLayout(0);
    this.#layouts.set(pipeline, layout);
    return layout;
  }
}
