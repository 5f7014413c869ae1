/** A model's files by path, as a person picked or dropped them. */
export type PickedFiles = ReadonlyMap<string, File>;

/** The files of an `<input type="file">`: of a folder, or an archive. */
export function filesOfInput({ files }: HTMLInputElement): PickedFiles {
  return new Map(Array.from(files ?? [], (file) => [file.webkitRelativePath || file.name, file]));
}

/** The files that were dropped, with all that lies below dropped folders. To be called in the event itself. */
export async function filesOfDrop({ items }: DataTransfer): Promise<PickedFiles> {
  const entries = Array.from(items, (item) => item.webkitGetAsEntry());
  const files = new Map<string, File>();
  for (const entry of entries) if (entry) await addEntry(entry, files);
  return files;
}

async function addEntry(entry: FileSystemEntry, files: Map<string, File>): Promise<void> {
  if (entry.isDirectory) {
    const reader = (entry as FileSystemDirectoryEntry).createReader(); // isDirectory says so
    const readPart = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    // The entries come in parts; an empty one is the end.
    for (let part = await readPart(); part.length > 0; part = await readPart()) {
      for (const child of part) await addEntry(child, files);
    }
    return;
  }
  const fileEntry = entry as FileSystemFileEntry; // the only other kind
  const file = await new Promise<File>((resolve, reject) => fileEntry.file(resolve, reject));
  files.set(entry.fullPath.replace(/^\//, ""), file);
}
