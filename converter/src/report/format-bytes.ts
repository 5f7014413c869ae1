/** A number of bytes as a person reads it: `14.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
