import { queueReliable } from '../net/outgoing.ts'
import { clampInterp, encodeRates, type Rates } from '../net/rates.ts'
import type { ServerState, Session } from './server-state.ts'

/** Whole, as rates travel. */
const clampRate = (wanted: number, least: number, most: number): number =>
  Math.round(Math.min(most, Math.max(least, wanted || least)))

/** Gives a session the rates that it wants, as far as the server's limits let it. What it does not say of stays as it was wanted. */
export const setRates = (state: ServerState, session: Session, wanted: Partial<Rates>): void => {
  const { updateRate, commandRate, interp } = session.wanted
  session.wanted = {
    updateRate: wanted.updateRate ?? updateRate,
    commandRate: wanted.commandRate ?? commandRate,
    interp: wanted.interp ?? interp,
  }
  const most = Math.min(state.maxUpdateRate, Math.ceil(state.tickRate))
  session.updateRate = clampRate(session.wanted.updateRate, Math.min(state.minUpdateRate, most), most)
  session.commandRate = clampRate(session.wanted.commandRate, 1, 255)
  session.interp = clampInterp(session.wanted.interp)
}

/** The same at run time: the client is told what it got. */
export const changeRates = (state: ServerState, session: Session, wanted: Partial<Rates>): void => {
  const { updateRate, commandRate, interp } = session
  setRates(state, session, wanted)
  const isAsked = Object.keys(wanted).length > 0
  if (isAsked || session.updateRate !== updateRate || session.commandRate !== commandRate || session.interp !== interp)
    queueReliable(session.downlink, encodeRates(session))
}
