export default class Long {
  static readonly UZERO: Long;
  static fromNumber(number: number): Long;
  static fromString(text: string, isUnsigned: boolean, radix: 16): Long;
  static fromBytes(bytes: readonly number[]): Long;
  add(other: Long | number): Long;
  mul(other: Long | number): Long;
  modulo(other: Long | number): Long;
  and(other: Long | number): Long;
  or(other: Long | number): Long;
  xor(other: Long | number): Long;
  shl(bits: number): Long;
  shru(bits: number): Long;
  toBigInt(): bigint;
  getLowBitsUnsigned(): number;
}
