import { parseDC, type ParseOptions, type ParseResult } from './parser.ts'

/** A DC text and what errors call it. */
export interface DCText {
  readonly name: string
  readonly text: string
}

/** The text of `dc/pipes.dc`, so that pages need not fetch it. A test compares the two. */
export const PRELUDE_TEXT = `// The prelude of bitecs-pipes: every line is plain DC, so Panda3D reads it too, before your own file:
//
//   dcFile.read('pipes.dc'); dcFile.read('game.dc')
//
// What a schema does not use of it is in no hash. You need not name it: a schema that does not stand alone gets it.

// A method that is sent once, in a datagram that may be lost.
keyword unreliable;

// How clients smooth a parameter field between two states.
keyword interp_linear interp_hermite interp_angle interp_quat interp_none;

// A field that is the change per second of the one before it, and one that counts how often the object leapt elsewhere.
keyword interp_velocity interp_teleport;

// A parameter field that its owner's client moves ahead of the server.
keyword predicted;

// Numbers that DC lacks. Panda3D sees blobs of their bytes, little endian, and no length before them. A default is
// written as bytes: float32 one = <0000803f>;
typedef blob(2) float16;
typedef blob(4) float32;

// A rotation as its three smallest components of 10 or 15 bits, below 2 bits that tell which is left out. Zeros are none.
typedef blob(4) quat32;
typedef blob(6) quat48;

typedef uint8(0-1) bool;

// Another distributed object: here the id of an entity, 0 for none; on the wire its network id.
typedef uint32 DoId;
`

/** The prelude as the first of several texts. */
export const PRELUDE: DCText = { name: 'pipes.dc', text: PRELUDE_TEXT }

/** Options of {@link parseSchema}. */
export interface SchemaTextOptions extends ParseOptions {
  /** Whether the prelude is read first when the texts need it. Default true. */
  readonly prelude?: boolean
}

const TYPES = /^(float16|float32|quat32|quat48|bool|DoId)$/

/**
 * Reads a schema from one or several texts, which are one DCFile, and the prelude before them unless it is not needed: texts
 * that stand alone are read alone, so that a name of the prelude (`predicted`, say) is free in them; and texts that declare
 * one of its types are taken to declare all that they use. So Panda3D reads either the texts, or `pipes.dc` and the texts, and its
 * hash is the same. Never throws for what a text says.
 */
export const parseSchema = (
  texts: string | readonly DCText[],
  { prelude = true, ...options }: SchemaTextOptions = {},
): ParseResult => {
  const own = typeof texts === 'string' ? [{ name: 'dc', text: texts }] : texts
  const alone = parseDC(own, options)
  const complaints = ({ errors, warnings }: ParseResult) =>
    errors.length + (options.strict === false ? warnings.length : 0)
  if (!prelude || complaints(alone) === 0) return alone
  const { typedefs, classes } = alone.file
  if ([...typedefs, ...classes].some(({ name }) => TYPES.test(name))) return alone
  const together = parseDC([PRELUDE, ...own], options)
  return complaints(together) <= complaints(alone) ? together : alone
}
