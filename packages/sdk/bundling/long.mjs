/**
 * What TensorFlow.js takes of the package `long` to hash strings, by the platform's BigInt: unsigned 64-bit integers that
 * wrap around.
 */
export default class Long {
  #value;

  /** @param {bigint} value */
  constructor(value) {
    this.#value = BigInt.asUintN(64, value);
  }

  static UZERO = new Long(0n);

  static fromNumber(number) {
    return new Long(BigInt(number));
  }

  static fromString(text, _isUnsigned, radix) {
    if (radix !== 16) throw new Error(`fromString: expected radix 16, got ${radix}`);
    return new Long(BigInt(`0x${text}`));
  }

  /** Little-endian. */
  static fromBytes(bytes) {
    return new Long(bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n));
  }

  add(other) {
    return new Long(this.#value + toInteger(other));
  }

  mul(other) {
    return new Long(this.#value * toInteger(other));
  }

  modulo(other) {
    return new Long(this.#value % toInteger(other));
  }

  and(other) {
    return new Long(this.#value & toInteger(other));
  }

  or(other) {
    return new Long(this.#value | toInteger(other));
  }

  xor(other) {
    return new Long(this.#value ^ toInteger(other));
  }

  shl(bits) {
    return new Long(this.#value << BigInt(bits));
  }

  shru(bits) {
    return new Long(this.#value >> BigInt(bits));
  }

  toBigInt() {
    return this.#value;
  }

  getLowBitsUnsigned() {
    return Number(BigInt.asUintN(32, this.#value));
  }
}

function toInteger(other) {
  return other instanceof Long ? other.toBigInt() : BigInt(other);
}
