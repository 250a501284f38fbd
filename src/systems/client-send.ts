import { readColumns } from '../components/index.ts'
import type { DCParameterField } from '../dc/index.ts'
import { bytesLeft, isSameBytes, varintSize, writeBytes, writeU32, writeU8, writeVarint } from '../net/bytes.ts'
import { encodeHello } from '../net/hello.ts'
import { EPOCH, nameOfWord, type Word } from '../net/layout.ts'
import { encodeFieldUpdate } from '../net/message.ts'
import { Chunk, patchSequence, writeHeader } from '../net/packet.ts'
import { clearance, resendTimeout, sendSequence } from '../net/peer.ts'
import { sweepValues } from '../net/replica.ts'
import { hasUnsent, loseFragments, sendReliable, writeFragments } from '../net/reliable.ts'
import { MAX_SILENT_TICKS } from '../net/ticks.ts'
import { countOut } from '../net/traffic.ts'
import { isSilent, look } from '../net/vigil.ts'
import { readWord } from './client-references.ts'
import { connectError, endClientSession, transmit } from './client-session.ts'
import { epochOf, type ClientObject, type ClientSession, type ClientState, type UpContent } from './client-state.ts'
import { isFiniteValue, packValue } from './pack-message.ts'
import { isFiniteWord } from './rows.ts'
import { encodeUpload } from './upload.ts'

/** Seconds between two hellos while there is no answer. */
const HELLO_INTERVAL = 0.1
/** Seconds between our own packets when the game does not call `send`: a hidden page, a game that still loads. */
const IDLE_INTERVAL = 0.1
/** Bytes of each packet that reliable fragments leave to owner-written state. */
const UPLOAD_RESERVE = 400

/** Sends what is due at the command rate: acknowledgements, messages, owner-written state. */
export const clientSend = (state: ClientState): void => {
  const { session } = state
  if (!session) return
  const now = state.now()
  // A message that waits goes in this frame.
  if (session.welcome && now < session.nextSendTime && !hasUnsent(session.sender)) return
  // Before the keepalive, which sends what there is: in a page of ten frames a second or fewer it is due in each.
  if (session.welcome && !session.suspension) sendValues(state, session)
  keepAlive(state, session)
  if (!session.welcome || session.isOver || session.isCut || now === session.peer.lastSendTime) return
  // Keeps the beat when frames come a little late, without a burst after a long pause, nor a pause after many that went out of turn.
  const interval = 1 / session.welcome.commandRate
  session.nextSendTime = Math.min(now + interval, Math.max(session.nextSendTime + interval, now))
  sendPacket(state, session, now)
}

/** Says hello, or what the server has asked for, again and again until it answers. */
const sayHello = (state: ClientState, session: ClientSession, now: number): void => {
  const { attempt } = session
  if (now - attempt.lastHello < HELLO_INTERVAL) return
  attempt.lastHello = now
  if (attempt.limit !== undefined) {
    if (attempt.response) transmit(state, session, attempt.response)
    return
  }
  const hello = encodeHello({
    nonce: session.nonce,
    schema: state.schema.file,
    updateRate: state.updateRate,
    commandRate: state.commandRate,
    interp: state.interp,
    password: state.password,
    data: attempt.json,
  })
  transmit(state, session, hello)
}

/**
 * Says hello until there is an answer, notices a server that fell silent, and sends a packet when the game has not for
 * a while. A timer does this and so does the send system: hidden pages have no frames, tests no timers.
 */
export const keepAlive = (state: ClientState, session: ClientSession): void => {
  const now = state.now()
  if (session.isOver) return
  const { attempt } = session
  if (!session.welcome) {
    if (now - attempt.startedAt > (attempt.limit ?? state.timeout))
      attempt.reject(
        connectError('timeout', 'The server does not answer: is it a bitecs-pipes server, and is UDP open?'),
      )
    else if (session.inquiry) session.inquiry.drive()
    else sayHello(state, session, now)
    return
  }
  sweepValues(session.replica, session.welcome.tickRate)
  const { peer, vigil } = session
  look(vigil, now, peer.lastReceiveTime)
  // The server's tick rate was not known when the option was checked.
  const patience = Math.min(state.timeout, (MAX_SILENT_TICKS - 1) / session.welcome.tickRate)
  if (session.suspension) session.lifeline.drive(now)
  else if (isSilent(vigil, now, peer.lastReceiveTime, patience)) session.lifeline.lose('timeout')
  // A silent connection may come to life again, once something is said.
  if (session.isOver || session.isCut) return
  if (now - session.peer.lastSendTime >= Math.max(IDLE_INTERVAL, 1.5 / session.welcome.commandRate))
    sendPacket(state, session, now)
}

/** From so much loss on few fragments are sent again in each packet; beyond the other the link may be full. */
const SOME_LOSS = 0.03
const FULL_LOSS = 0.12
const FEW_FRAGMENTS = 2

/** Seconds that a fragment may stay unanswered before it is sent again. */
const patienceOf = ({ peer, sender }: ClientSession): number =>
  peer.longLoss > SOME_LOSS && peer.loss < FULL_LOSS && sender.queue.length <= FEW_FRAGMENTS ? 0 : resendTimeout(peer)

/** Builds and sends one datagram, unless the link is overdue. */
export const sendPacket = (state: ClientState, session: ClientSession, now: number): void => {
  const { peer, sender, replica } = session
  const { writer } = state
  if (clearance(peer, now, 1 / session.welcome!.updateRate) === 'wait') return
  writeHeader(writer, peer, replica.newestTick, now)
  const content: UpContent = { uploads: [], fragments: undefined }
  content.fragments = writeFragments(sender, writer, now, patienceOf(session), UPLOAD_RESERVE, () =>
    writeU8(writer, Chunk.fragment),
  )
  while (session.unreliable.length > 0 && session.unreliable[0]!.length + 1 <= bytesLeft(writer)) {
    writeU8(writer, Chunk.message)
    writeBytes(writer, session.unreliable.shift()!)
  }
  for (const object of session.objects.values())
    if (object.isOwned) orComplain(state, object, 'complaint', () => writeUpload(state, object, content))
  session.writeMore?.(writer, content)
  patchSequence(
    writer,
    sendSequence(peer, content, now, ({ fragments }, time) => {
      if (fragments) loseFragments(sender, fragments, time)
    }),
  )
  countOut(state.stats, writer.length)
  session.connection.send(writer.bytes.subarray(0, writer.length))
}

/** A value that does not fit DC stays behind; the game is told once, not in every packet. */
const orComplain = (
  state: ClientState,
  object: ClientObject,
  kind: 'complaint' | 'valueComplaint',
  write: () => void,
): void => {
  try {
    write()
    object[kind] = ''
  } catch (error) {
    const text = String(error)
    if (object[kind] === text) return
    object[kind] = text
    state.onError(error, `send, entity ${object.eid}`)
  }
}

/** The server takes no NaN and no infinity from a client. */
const checkFinite = (word: Word, bits: number): void => {
  if (!isFiniteWord(word, bits)) throw new RangeError(`${nameOfWord(word)} is not finite: a client may not send that.`)
}

/** Owner-written numbers go up whole, in every packet until one that has the newest of them is acknowledged. */
const writeUpload = (state: ClientState, object: ClientObject, content: UpContent): void => {
  const { upload, interested, owner } = object.clientClass
  const { acknowledged } = object
  if (!upload || !acknowledged) return
  const epoch = epochOf(object)
  // The row has not come yet: our columns are defaults, not what the owner wrote.
  if (epoch === 0) return
  // The server has overruled us and only one of our two rows says so yet: what we would send is void.
  if (owner && owner.layout.bits[EPOCH]! > 0 && object.ownerEpoch !== epoch) return
  const words = new Uint32Array(upload.words.length)
  let isChanged = false
  upload.words.forEach(({ layout, index }, at) => {
    const word = readWord(state, object, layout === interested.layout ? interested : owner!, index)
    checkFinite(layout.words[index]!, word)
    words[at] = word
    if (word !== acknowledged[at]) isChanged = true
  })
  const { writer } = state
  if (!isChanged || bytesLeft(writer) < 6 + varintSize(upload.bytes) + upload.bytes) return
  writeU8(writer, Chunk.upload)
  writeU32(writer, object.doId)
  writeU8(writer, epoch)
  writeVarint(writer, upload.bytes)
  writeBytes(writer, encodeUpload(upload, words))
  content.uploads.push({ object, words, epoch })
}

/** What the owner wrote of an object's strings, blobs and lists goes up ahead of a message that is sent after it. */
export const sendValuesFirst = (state: ClientState, session: ClientSession, object: ClientObject): void => {
  if (object.isOwned && object.state === 'alive')
    orComplain(state, object, 'valueComplaint', () => sendValuesOf(state, session, object))
}

/** Owner-written strings, blobs and lists go up as reliable messages when they change. */
const sendValues = (state: ClientState, session: ClientSession): void => {
  for (const object of session.objects.values())
    if (object.isOwned && object.state === 'alive')
      orComplain(state, object, 'valueComplaint', () => sendValuesOf(state, session, object))
}

/** Whether the server sends the field too; one for the server alone (`airecv ownsend`) only goes up. */
const isReplicated = ({ clientClass: { interested, owner } }: ClientObject, field: DCParameterField): boolean =>
  interested.layout.values.includes(field) || owner?.layout.values.includes(field) === true

const sendValuesOf = (state: ClientState, session: ClientSession, object: ClientObject): void => {
  for (const field of object.clientClass.ownerValues) {
    const value = readColumns(object.clientClass.info.columns.get(field)!, object.eid)
    if (!isFiniteValue(value))
      throw new RangeError(`${field.owner.name}.${field.name} is not finite: a client may not send that.`)
    const packed = packValue(field, value, state.links)
    const sent = object.sentValues.get(field)
    // What has not come from the server yet must not be overwritten by a default; what never comes starts as it is.
    if (!sent && isReplicated(object, field)) continue
    const epoch = sent?.epoch ?? 0
    if (sent && isSameBytes(sent.packed, packed)) continue
    object.sentValues.set(field, { packed, epoch, isOurs: true })
    if (sent)
      queueClientReliable(state, session, encodeFieldUpdate({ doId: object.doId, field: field.number, packed }, epoch))
  }
}

/** Queues a reliable message to the server; a stream that is stuck ends the session. */
export const queueClientReliable = (state: ClientState, session: ClientSession, message: Uint8Array): void => {
  if (!sendReliable(session.sender, message)) endClientSession(state, session, 'overflow', true)
}
