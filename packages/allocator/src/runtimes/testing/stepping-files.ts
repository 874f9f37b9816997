/** The kernel's files, with something done in between a check and a write, or between two reads. */
import { type CgroupFile, type CgroupFiles, kernelFiles } from '../cgroup/files.ts';

export class SteppingFiles implements CgroupFiles {
  #next: { directory: string; file: CgroupFile; step: () => Promise<void> } | null = null;
  beforeRead: (nth: number) => void = () => undefined;
  reads = 0;
  readNow = kernelFiles.readNow;
  children = kernelFiles.children;
  inode = kernelFiles.inode;
  notify = kernelFiles.notify;

  get pending(): number {
    return this.#next === null ? 0 : 1;
  }

  async read(directory: string, file: CgroupFile): Promise<string> {
    this.beforeRead(this.reads++);
    return await kernelFiles.read(directory, file);
  }

  beforeNext(directory: string, file: CgroupFile, step: () => Promise<void>): void {
    this.#next = { directory, file, step };
  }

  async write(directory: string, file: CgroupFile, text: string): Promise<void> {
    const next = this.#next;
    if (next !== null && next.directory === directory && next.file === file) {
      this.#next = null;
      await next.step();
    }
    await kernelFiles.write(directory, file, text);
  }
}
