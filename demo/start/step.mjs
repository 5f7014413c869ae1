/** Does one long step and prints it as one line with the seconds it took. */
export async function step(name, work) {
  const startMs = performance.now();
  process.stdout.write(`${name} … `);
  const result = await work();
  process.stdout.write(`${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
  return result;
}
