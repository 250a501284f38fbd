/** Grows as values are packed into it. The bytes are `bytes.subarray(0, length)`. */
export interface Writer {
  bytes: Uint8Array
  view: DataView
  length: number
  /** Where in the value the packer is, for messages: `['Avatar', 'say', 'text']`. */
  readonly path: (string | number)[]
}

/** An empty writer; `path` leads its error messages. */
export function createWriter(...path: string[]): Writer {
  const bytes = new Uint8Array(64)
  return { bytes, view: new DataView(bytes.buffer), length: 0, path }
}

/** Makes room for `count` bytes and returns where they start. */
export function reserve(writer: Writer, count: number): number {
  const start = writer.length,
    end = start + count
  if (end > writer.bytes.length) grow(writer, end)
  writer.length = end
  return start
}

function grow(writer: Writer, end: number): void {
  const bytes = new Uint8Array(Math.max(end, writer.bytes.length * 2))
  bytes.set(writer.bytes.subarray(0, writer.length))
  writer.bytes = bytes
  writer.view = new DataView(bytes.buffer)
}

/** Appends raw bytes. */
export function writeBytes(writer: Writer, bytes: Uint8Array): void {
  const at = reserve(writer, bytes.length)
  writer.bytes.set(bytes, at)
}

const SHARED = createWriter()
let isBorrowed = false

/** Runs a function with an empty writer and gives a copy of what it wrote: cheaper than a writer of one's own each time. */
export function written(write: (writer: Writer) => void): Uint8Array {
  // A getter of a value that is packed may pack too.
  const writer = isBorrowed ? createWriter() : SHARED,
    outer = isBorrowed
  isBorrowed = true
  writer.length = 0
  try {
    write(writer)
    return writer.bytes.slice(0, writer.length)
  } finally {
    isBorrowed = outer
    if (writer.bytes.length > MAX_KEPT) shrink(writer)
  }
}

/** Bytes that the shared writer keeps for the next time. */
const MAX_KEPT = 1 << 16

function shrink(writer: Writer): void {
  const { bytes, view } = createWriter()
  writer.bytes = bytes
  writer.view = view
}
