/**
 * To see inside a running game: an overlay for any page, what it shows as data, links that are made worse on purpose, and
 * recordings of what a client was sent, which replay in the same page. A page that does not import it pays nothing.
 */
export { conditioned, perfectLink } from './devtools/conditioned.ts'
export { fieldsOf, objectsOf, type FieldView, type MayWrite, type ObjectView } from './devtools/inspect.ts'
export { OBJECTS, PROTOCOL, totalsOf, type ClassTotal, type Entry, type Ledger } from './devtools/ledger.ts'
export { watchClient, type Monitor, type Sample } from './devtools/monitor.ts'
export type { Recorder, RecorderOptions } from './devtools/recorder.ts'
export type { Account } from './devtools/account.ts'
export type { LinkPair } from './net/memory.ts'
export type { LifecycleState } from './systems/lifecycle.ts'
export type { LinkConditions } from './net/conditioner.ts'
export {
  decodeRecording,
  encodeRecording,
  type RecordedDatagram,
  type RecordedPart,
  type Recording,
} from './devtools/recording.ts'
export { playRecording, type Replay } from './devtools/replay.ts'
export { replayTransport, type ReplayTransport } from './devtools/replay-transport.ts'
export { showDevtools, type Devtools, type DevtoolsOptions } from './devtools/show.ts'
