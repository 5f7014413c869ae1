export interface Chart {
  readonly title: string;
  /** The figures. */
  readonly columns: readonly string[];
  readonly groups: readonly {
    readonly name: string;
    readonly rows: readonly {
      readonly name: string;
      readonly isOurs: boolean;
      /** One for each column. */
      readonly bars: readonly { readonly lengths: readonly number[]; readonly label: string }[];
    }[];
  }[];
}
export declare function drawChart(chart: Chart): string;
