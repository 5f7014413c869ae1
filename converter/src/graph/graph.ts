import type { DataType } from "./data-type.ts";

/** Dimensions, `null` where one (or the whole rank) is unknown. */
export type Shape = readonly (number | null)[] | null;

/** One output of a node. */
export interface TensorRef {
  readonly node: string;
  readonly output: number;
}

/** A value that the model file itself holds: row-major little-endian elements, or one byte string per element. */
export interface LiteralValue {
  readonly kind: "literal";
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | readonly Uint8Array[];
}

/** A box within a tensor. */
export interface Box {
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** A value that lies in the checkpoint under `key`, or the box of it that is `slice`. Its bytes are read at the end. */
export interface StoredValue {
  readonly kind: "stored";
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly key: string;
  readonly slice: Box | null;
}

/**
 * A value that a pass worked out from others but didn't compute: float32 elements whose bytes are computed when they
 * are written. `op` is elementwise, broadcasting its operands, or arranges them as the int32 lists at the end say:
 * `Walk` (dims, strides, offset), `Sum` (axes) and `Join` (axis).
 */
export interface ComputedValue {
  readonly kind: "computed";
  readonly dtype: "DT_FLOAT";
  readonly shape: readonly number[];
  readonly op: string;
  readonly operands: readonly TensorValue[];
}

/** What a constant or a variable holds. `{ ...value, shape }` is the same elements in another shape. */
export type TensorValue = LiteralValue | StoredValue | ComputedValue;

/** A lookup table that holds `values` for `keys`, element by element. */
export interface TableConstants {
  readonly kind: "constants";
  readonly keys: TensorValue;
  readonly values: TensorValue;
}

/** A lookup table that a text file holds, an entry per line. Column −1 is the line's number, −2 the whole line. */
export interface TableFile {
  readonly kind: "file";
  readonly path: string;
  readonly keyColumn: number;
  readonly valueColumn: number;
  /** How many lines count; −1 for all of them. */
  readonly lines: number;
  /** The number of the first line. */
  readonly firstLine: number;
  readonly delimiter: string;
}

/** What a lookup table is filled with when the model is loaded. */
export type TableEntries = TableConstants | TableFile;

/** A function named by an attribute, with the attributes it is called with. */
export interface FunctionRef {
  readonly name: string;
  readonly attrs: Attrs;
}

/** An attribute of a node; the field that is there tells its kind, as in TensorFlow's AttrValue. */
export type Attr =
  | { readonly s: Uint8Array }
  | { readonly i: bigint }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly type: DataType }
  | { readonly shape: Shape }
  | { readonly tensor: LiteralValue }
  | { readonly func: FunctionRef }
  | { readonly placeholder: string }
  | { readonly list: AttrList };

/** A list attribute: one field with the elements, or none for an empty list. */
export interface AttrList {
  readonly s?: readonly Uint8Array[];
  readonly i?: readonly bigint[];
  readonly f?: readonly number[];
  readonly b?: readonly boolean[];
  readonly type?: readonly DataType[];
  readonly shape?: readonly Shape[];
  readonly func?: readonly FunctionRef[];
}

/** Attributes by TensorFlow's name for them (`data_format`). */
export type Attrs = Readonly<Record<string, Attr>>;

/** One operation. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  /** Nodes that must run before this one though it takes nothing of theirs. */
  readonly controls: readonly string[];
  readonly attrs: Attrs;
  /** What a `Const` holds, or a variable (`VarHandleOp`, `VariableV2`) once restored. */
  readonly value?: TensorValue;
  /** What a lookup table (`HashTableV2`) holds. */
  readonly entries?: TableEntries;
}

/** A named end of a graph: an input that is fed or an output that is fetched. */
export interface Port {
  readonly key: string;
  readonly tensor: TensorRef;
  readonly dtype: DataType;
  readonly shape: Shape;
  /**
   * What the variable that this port stands for holds at first. Such a port isn't the signature's: the input takes
   * what the variable holds before a run, the output with the same key returns what it holds after.
   */
  readonly initial?: TensorValue;
}

/**
 * Nodes by name, in a fixed order: a pass finds each after those that it takes something of or waits for, but for loops.
 * Inputs are `Placeholder` nodes, in functions too.
 */
export interface Body {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Nodes to run for their effects. */
  readonly controls: readonly string[];
}

/** A signature's graph and the functions that it calls. Never changed: a pass makes a new one. */
export interface Graph extends Body {
  readonly functions: ReadonlyMap<string, Body>;
}

/** A rewrite of a graph that keeps what it computes. It never changes its argument. */
export type Pass = (graph: Graph) => Graph;
