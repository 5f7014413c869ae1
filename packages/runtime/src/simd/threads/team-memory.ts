/** The memory that the threads of a team share, besides that of the kernels. */
export interface TeamMemory {
  /** Its cells: see {@link cells}. */
  readonly control: Int32Array<SharedArrayBuffer>;
  /** Where each group begins among the operands; after the last one, where they end. */
  readonly starts: Int32Array<SharedArrayBuffer>;
  /** Call after call: the kernel's number, how many operands follow, and these. */
  readonly operands: Float64Array<SharedArrayBuffer>;
}

export const cells = {
  /** In its low 16 bits how many groups are still to be taken; above these the round, which tells two rounds apart. */
  open: 0,
  /** How many groups of the round are done. */
  done: 1,
  /** 1 once a kernel has broken off. */
  hasFailed: 2,
} as const;

export const maxGroups = 0xffff;
const maxOperands = 0x20000;

/** Memory for a team, which must be able to share it: the page is cross-origin isolated. */
export function createTeamMemory(): TeamMemory {
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * Object.keys(cells).length)),
    starts: new Int32Array(new SharedArrayBuffer(4 * (maxGroups + 1))),
    operands: new Float64Array(new SharedArrayBuffer(8 * maxOperands)),
  };
}
