/**
 * Lets the shaders of a device have `enable` directives anywhere. TensorFlow.js puts a program's text after its own,
 * where WGSL allows none.
 */
export function hoistDirectives(device: GPUDevice): void {
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => create({ ...descriptor, code: hoist(descriptor.code) });
}

function hoist(code: string): string {
  const directives = code.match(/^\s*enable \w+;/gm) ?? [];
  return [...directives, code.replace(/^\s*enable \w+;/gm, "")].join("\n");
}
