/**
 * A shader of TensorFlow.js that returns `sin(a)` or `cos(a)`, computed to the precision of float32: WebGPU's own may
 * be off by 2⁻¹¹. With k quarter turns, a = k·π/2 + r and |r| ≤ π/4, it is ± sin r or ± cos r by their minimax
 * polynomials; π/2 is subtracted in three parts, as in the Cephes library. Beyond the range where that is exact, the
 * device's own function is called.
 */
export function withPreciseSines(code: string): string {
  return code.replace(/return (sin|cos)\(a\);/, (_, name: "sin" | "cos") => {
    return `
        if (abs(a) > 8192.0) { return ${name}(a); }
        let k = round(a * 0.63661977236758134);
        let r = ((a - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8;
        let z = r * r;
        let sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
        let cosine = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
        let quarter = (i32(k) + ${name === "sin" ? 0 : 1}) & 3;
        let size = select(sine, cosine, (quarter & 1) == 1);
        return select(size, -size, quarter >= 2);`;
  });
}
