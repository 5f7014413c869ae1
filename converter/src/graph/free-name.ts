/** `wanted`, or `wanted_1`, `wanted_2`, … where that name is taken. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let suffix = 1; isTaken(name); suffix++) name = `${wanted}_${suffix}`;
  return name;
}
