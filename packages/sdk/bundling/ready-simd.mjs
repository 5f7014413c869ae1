import { relaxedProbe, simdBinary } from "../../runtime/dist/simd/code/simd-binary.js";

/** Puts the binaries of our WebAssembly kernels in the place of the code that writes them, which takes longer to run. */
export const readySimd = {
  name: "ready-simd",
  load: (id) => (/simd\/code\/simd-binary\.js$/.test(id) ? text() : undefined),
};

function text() {
  const variants = [0, 1, 2, 3].map((variant) => {
    const [isShared, isRelaxed] = [(variant & 1) !== 0, (variant & 2) !== 0];
    return toBase64(simdBinary({ isShared, isRelaxed }));
  });
  return `
    const variants = ${JSON.stringify(variants)};
    const decode = (text) =>
      Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
    export const simdBinary = ({ isShared, isRelaxed }) => decode(variants[(isShared ? 1 : 0) + (isRelaxed ? 2 : 0)]);
    export const relaxedProbe = () => decode(${JSON.stringify(toBase64(relaxedProbe()))});
  `;
}

const toBase64 = (bytes) => Buffer.from(bytes).toString("base64");
