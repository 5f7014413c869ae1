// Each to about fifteen digits, so exact for what is float32 afterwards.

/** ln |Γ(x)|, by Lanczos's approximation (g = 7, n = 9) and the reflection formula. */
export function lnGamma(x: number): number {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? x : Number.POSITIVE_INFINITY;
  if (x <= 0 && Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 2)))) - lnGamma(1 - x);
  const series = lanczos.reduce((sum, coefficient, index) => sum + coefficient / (x + index), constantTerm);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
}

const constantTerm = 0.9999999999998099;
const lanczos: readonly number[] = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** ψ(x), by recurrence up to 10 and the asymptotic series from there. */
export function digamma(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x) || !Number.isFinite(x)) return Number.NaN;
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  }
  if (x < 10) return digamma(x + 1) - 1 / x;
  const inverse = 1 / (x * x);
  const series = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132].reduceRight((sum, term) => (sum + term) * inverse, 0);
  return Math.log(x) - 0.5 / x - series;
}

/** P(a, x): the power series below a + 1, Lentz's continued fraction of 1 − P from there. */
export function lowerGamma(a: number, x: number): number {
  if (Number.isNaN(a) || Number.isNaN(x) || a < 0 || x < 0) return Number.NaN;
  if (a === 0) return x === 0 ? Number.NaN : 1;
  if (x === 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return a === x ? Number.NaN : 1;
  if (a === Number.POSITIVE_INFINITY) return 0;
  const factor = Math.exp(a * Math.log(x) - x - lnGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 10_000 && Math.abs(term) > Math.abs(sum) * 1e-16; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return sum * factor;
  }
  let [b, c] = [x + 1 - a, 1e300];
  let [d, h] = [1 / b, 1 / b];
  for (let n = 1; n < 10_000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / nonZero(an * d + b);
    c = nonZero(b + an / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return 1 - factor * h;
}

const nonZero = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);

/** The x with Φ(x) − ½ = q, by Wichura's algorithm AS 241. */
export function normalQuantile(q: number): number {
  const tail = 0.5 - Math.abs(q);
  if (!(tail >= 0)) return Number.NaN;
  if (tail === 0) return q > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (Math.abs(q) <= 0.425) return q * ratio(0.180625 - q * q, middle);
  const r = Math.sqrt(-Math.log(tail));
  return Math.sign(q) * (r <= 5 ? ratio(r - 1.6, near) : ratio(r - 5, far));
}

type Ratio = readonly [above: readonly number[], below: readonly number[]];

const ratio = (x: number, [above, below]: Ratio) => polynomial(x, above) / polynomial(x, below);
const polynomial = (x: number, terms: readonly number[]) => terms.reduceRight((sum, term) => sum * x + term, 0);

const middle: Ratio = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
];
const near: Ratio = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const far: Ratio = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/** I₀(x)·exp(−|x|) */
export const bessel0 = (x: number) => bessel(x, 0);

/** I₁(x)·exp(−|x|) */
export const bessel1 = (x: number) => Math.sign(x) * bessel(x, 1);

/** The power series up to 30, the asymptotic one from there. */
function bessel(given: number, order: number): number {
  const x = Math.abs(given);
  if (x <= 30) {
    let term = order === 0 ? 1 : x / 2;
    let sum = term;
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= (x * x) / 4 / (k * (k + order));
      sum += term;
    }
    return sum * Math.exp(-x);
  }
  let [term, sum] = [1, 1];
  for (let k = 1; k < 20; k++) {
    term *= -(4 * order * order - (2 * k - 1) ** 2) / (8 * k * x);
    sum += term;
  }
  return sum / Math.sqrt(2 * Math.PI * x);
}
