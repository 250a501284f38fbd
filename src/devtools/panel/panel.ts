import type { Client } from '../../client.ts'
import { totalsOf } from '../ledger.ts'
import type { Monitor } from '../monitor.ts'
import type { Recorder } from '../recorder.ts'
import { decodeRecording, encodeRecording, type Recording } from '../recording.ts'
import { playRecording, type Replay } from '../replay.ts'
import { isProtocol, PROTOCOL_COLOUR } from './charts.ts'
import { CLASS_COLOURS } from './theme.ts'

export const TABS = ['net', 'objects', 'link', 'record'] as const
export type Tab = (typeof TABS)[number]

/** What the overlay shows, and what can be done in it; it knows nothing of elements. */
export interface Panel {
  readonly client: Client
  readonly monitor: Monitor
  readonly tab: Tab
  readonly direction: 'down' | 'up'
  readonly openClasses: ReadonlySet<string>
  readonly search: string
  /** The doId of the object whose fields are shown; 0 for none. */
  readonly selected: number
  readonly recorder: Recorder | undefined
  readonly recording: Recording | undefined
  readonly replay: Replay | undefined
  readonly error: string
  /** Colours by class, in the order in which these were first seen. */
  readonly colours: Map<string, string>
  change(change: Partial<Pick<Panel, 'tab' | 'direction' | 'search' | 'selected'>>): void
  toggleClass(dclass: string): void
  record(): void
  stopRecording(): void
  startReplay(): void
  stopReplay(): void
  playOrPause(): void
  scrub(time: number): void
  setSpeed(speed: number): void
  chooseFile(): void
  load(input: HTMLInputElement): Promise<void>
  save(): void
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Seconds within which an address of a saved file is of use to the browser. */
const SAVED = 10

/** `render` shows what has changed; `chooseFile` opens the browser's dialog. */
export const createPanel = (client: Client, monitor: Monitor, render: () => void, chooseFile: () => void): Panel => {
  const openClasses = new Set<string>()
  const attempt = (act: () => void): void => {
    panel.error = ''
    try {
      act()
    } catch (error) {
      panel.error = error instanceof Error ? error.message : String(error)
    }
    render()
  }
  const panel: Mutable<Panel> = {
    client,
    monitor,
    tab: 'net',
    direction: 'down',
    openClasses,
    search: '',
    selected: 0,
    recorder: undefined,
    recording: undefined,
    replay: undefined,
    error: '',
    colours: new Map(),
    change(change) {
      Object.assign(panel, change)
      render()
    },
    toggleClass(dclass) {
      if (!openClasses.delete(dclass)) openClasses.add(dclass)
      render()
    },
    record: () =>
      attempt(() => {
        panel.recorder = monitor.record()
      }),
    stopRecording: () =>
      attempt(() => {
        const { recorder } = panel
        panel.recorder = undefined
        panel.recording = recorder?.stop() ?? panel.recording
      }),
    startReplay: () =>
      attempt(() => {
        if (!panel.recording) return
        panel.replay = playRecording(client, panel.recording)
        panel.replay.play()
      }),
    stopReplay: () =>
      attempt(() => {
        panel.replay?.stop()
        panel.replay = undefined
      }),
    playOrPause() {
      const { replay } = panel
      if (replay?.isPlaying) replay.pause()
      else replay?.play()
      render()
    },
    scrub(time) {
      panel.replay?.pause()
      panel.replay?.seek(time)
      render()
    },
    setSpeed(speed) {
      if (panel.replay) panel.replay.speed = speed
    },
    chooseFile,
    async load(input) {
      const [file] = input.files ?? []
      if (!file) return
      const bytes = new Uint8Array(await file.arrayBuffer())
      input.value = ''
      attempt(() => {
        panel.recording = decodeRecording(bytes)
        panel.replay?.stop()
        panel.replay = playRecording(client, panel.recording)
      })
    },
    save() {
      if (!panel.recording) return
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob([encodeRecording(panel.recording)]))
      link.download = `${panel.recording.date.slice(0, 19).replaceAll(':', '-')}.bprec`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), SAVED * 1000)
    },
  }
  return panel
}

/** The colour of a class: its own as long as the page lives. */
export const colourOf = ({ colours, monitor }: Panel, dclass: string): string => {
  if (isProtocol(dclass)) return PROTOCOL_COLOUR
  if (!colours.has(dclass))
    for (const { dclass: each } of totalsOf(monitor.account.down).concat(totalsOf(monitor.account.up)))
      if (!isProtocol(each) && !colours.has(each))
        colours.set(each, CLASS_COLOURS[colours.size % CLASS_COLOURS.length]!)
  return colours.get(dclass) ?? PROTOCOL_COLOUR
}
