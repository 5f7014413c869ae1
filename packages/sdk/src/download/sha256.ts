/** The SHA-256 in hex, or undefined where the platform has none: in a page that isn't secure (http, not localhost). */
export async function sha256(bytes: BufferSource): Promise<string | undefined> {
  if (crypto.subtle === undefined) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
