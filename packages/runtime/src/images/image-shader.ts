import type { ImageInput } from "@nearside/core";
import { type ImagePlan, planImage, type Size } from "./image-plan.ts";

/** The same triangle filter as `resample`, and the same sums as `readImage`. */
const code = /* wgsl */ `
struct Plan {
  size: vec2u,
  origin: vec2u,
  extent: vec2u,
  channelCount: u32,
  isChannelsFirst: u32,
  channels: array<vec4f, 3>,
}
@group(0) @binding(0) var pixels: texture_2d<f32>;
@group(0) @binding(1) var<uniform> plan: Plan;
@group(0) @binding(2) var<storage, read_write> elements: array<f32>;

fn resampled(at: vec2u) -> vec3f {
  let length = vec2f(textureDimensions(pixels));
  let scale = length / vec2f(plan.extent);
  let support = max(scale, vec2f(1));
  let centre = (vec2f(at) + 0.5) * scale;
  let first = max(vec2i(ceil(centre - support - 0.5)), vec2i(0));
  let last = vec2i(min(floor(centre + support - 0.5), length - 1));
  var sum = vec4f(0);
  for (var y = first.y; y <= last.y; y++) {
    for (var x = first.x; x <= last.x; x++) {
      let shares = max(vec2f(0), 1 - abs(vec2f(f32(x), f32(y)) + 0.5 - centre) / support);
      sum += shares.x * shares.y * vec4f(textureLoad(pixels, vec2i(x, y), 0).rgb, 1);
    }
  }
  return 255 * sum.rgb / sum.a;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.xy;
  if (any(at >= plan.size)) { return; }
  var colour = vec3f(0);
  if (all(at >= plan.origin) && all(at < plan.origin + plan.extent)) { colour = resampled(at - plan.origin); }
  let pixel = at.y * plan.size.x + at.x;
  for (var channel = 0u; channel < plan.channelCount; channel++) {
    let place = select(
      pixel * plan.channelCount + channel,
      channel * plan.size.x * plan.size.y + pixel,
      plan.isChannelsFirst == 1,
    );
    let weights = plan.channels[channel];
    elements[place] = dot(weights.rgb, colour) + weights.a;
  }
}`;

/** An element takes four times as many pixels at most: a driver ends what computes for seconds, and with it the device. */
const mostRatio = 2 ** 18;

/** Makes tensors of images on a device: resizes and normalises their pixels there. */
export class ImageShader {
  readonly #device: GPUDevice;
  #pipeline: GPUComputePipeline | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Whether the device can hold such an image, and doesn't lose itself in the many pixels that make one of few. */
  takes(image: ImageInput): boolean {
    const { width, height } = image.pixels;
    const { from, to } = planImage(image);
    const ratio = (from.width * from.height) / (to.width * to.height);
    return Math.max(width, height) <= this.#device.limits.maxTextureDimension2D && ratio <= mostRatio;
  }

  /** Submits what writes the image's elements into the buffer; the image may be closed then. */
  draw(image: ImageInput, elements: GPUBuffer): void {
    const device = this.#device;
    const plan = planImage(image);
    const { width, height, x, y } = plan.from;
    const texture = device.createTexture({
      size: [width, height],
      format: "rgba8unorm",
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
    });
    const uniform = device.createBuffer({ size: 80, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    try {
      device.queue.copyExternalImageToTexture(
        { source: image.pixels as ImageBitmap, origin: [x, y] }, // image() made it
        { texture, premultipliedAlpha: true }, // on black
        [width, height],
      );
      device.queue.writeBuffer(uniform, 0, toUniform(plan));
      this.#compute([texture.createView(), { buffer: uniform }, { buffer: elements }], plan.size);
    } finally {
      texture.destroy(); // when what was submitted is done
      uniform.destroy();
    }
  }

  #compute(resources: readonly GPUBindingResource[], { width, height }: Size): void {
    const device = this.#device;
    this.#pipeline ??= device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code }) },
    });
    const bindGroup = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(width / 8), Math.ceil(height / 8));
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
}

/** The shader's `Plan`. */
function toUniform({ size, to, channels, isChannelsFirst }: ImagePlan): ArrayBuffer {
  const bytes = new ArrayBuffer(80);
  const sizes = [size.width, size.height, to.x, to.y, to.width, to.height, channels.length, Number(isChannelsFirst)];
  new Uint32Array(bytes).set(sizes);
  new Float32Array(bytes, 4 * sizes.length).set(channels.flat());
  return bytes;
}
