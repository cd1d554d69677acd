/**
 * Buffers by usage and rounded size, kept for reuse up to a cap. Whoever gives a buffer back has submitted what used it: the queue
 * orders what comes after.
 */
export interface BufferPool {
  /** A buffer of at least that many bytes. */
  take(bytes: number): GPUBuffer;
  give(buffer: GPUBuffer): void;
  readonly pooledBytes: number;
  /** Destroys what is pooled, and from now on what is given back. */
  close(): void;
}

export interface BufferPoolOptions {
  readonly usage: GPUBufferUsageFlags;
  readonly capBytes: number;
  readonly label: string;
  /** Called later where the device could not make a buffer. */
  readonly onFailure: (error: GPUError, bytes: number) => void;
}

export function bufferPool(device: GPUDevice, { usage, capBytes, label, onFailure }: BufferPoolOptions): BufferPool {
  const free = new Map<number, GPUBuffer[]>();
  let cap = capBytes;
  let pooledBytes = 0;
  return {
    take(bytes) {
      const size = Math.min(roundedSize(bytes), Math.floor(device.limits.maxBufferSize / 4) * 4);
      const buffer = free.get(size)?.shift();
      if (!buffer) {
        device.pushErrorScope('out-of-memory');
        const made = device.createBuffer({ label, size, usage });
        device.popErrorScope().then(
          (error) => error && onFailure(error, size),
          () => undefined, // a lost device is reported by what uses the buffer
        );
        return made;
      }
      pooledBytes -= size;
      return buffer;
    },
    give(buffer) {
      const { size } = buffer;
      if (pooledBytes + size > cap) {
        buffer.destroy();
        return;
      }
      pooledBytes += size;
      const list = free.get(size);
      if (list) list.push(buffer);
      else free.set(size, [buffer]);
    },
    get pooledBytes() {
      return pooledBytes;
    },
    close() {
      cap = 0;
      for (const list of free.values()) for (const buffer of list) buffer.destroy();
      free.clear();
      pooledBytes = 0;
    },
  };
}

/** Eight sizes an octave, at least 256 bytes: at most an eighth is wasted, and few sizes differ. */
function roundedSize(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 4);
  return Math.ceil(bytes / step) * step;
}
