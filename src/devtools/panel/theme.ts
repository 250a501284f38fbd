/** Colours of classes, in the order of what they take; the protocol's own is the last. */
export const CLASS_COLOURS = ['#5fd3c6', '#f3b562', '#8fb3ff', '#e78fd5', '#b5da70', '#ff9f80'] as const
export const PROTOCOL_COLOUR = '#707a90'
export const COLOURS = {
  down: '#5fd3c6',
  up: '#f3b562',
  bad: '#ff7d70',
  ideal: '#b9a3ff',
  text: '#e9ebf2',
  dim: '#9ba3b6',
  line: 'rgb(255 255 255 / 0.09)',
} as const

/** By itself in a shadow root: nothing of the page's styles gets in, nothing of these gets out. */
export const CSS = `
:host { all: initial; color-scheme: dark; }
* { box-sizing: border-box; margin: 0; }
.panel, .pill {
  color: ${COLOURS.text};
  font: 12px/1.45 ui-sans-serif, system-ui, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
  -webkit-font-smoothing: antialiased;
}
.panel {
  position: fixed;
  display: flex;
  flex-direction: column;
  width: 372px;
  max-width: calc(100vw - 16px);
  max-height: min(640px, calc(100dvh - 16px));
  overflow: hidden;
  border: 1px solid rgb(255 255 255 / 0.1);
  border-radius: 14px;
  background: rgb(20 22 30);
  box-shadow: 0 18px 50px rgb(5 6 12 / 0.5), 0 2px 8px rgb(5 6 12 / 0.35);
}
button {
  font: inherit;
  color: inherit;
  border: 0;
  background: none;
  cursor: pointer;
  touch-action: manipulation;
}
:is(button, input, select, summary):focus-visible, .row:focus-visible { outline: 2px solid ${COLOURS.down}; outline-offset: -2px; }
.pill {
  position: fixed;
  display: inline-flex;
  align-items: center;
  gap: 8px;
  min-height: 36px;
  padding: 0 14px;
  border: 1px solid rgb(255 255 255 / 0.12);
  border-radius: 18px;
  background: rgb(20 22 30);
  box-shadow: 0 4px 16px rgb(5 6 12 / 0.4);
  touch-action: none;
}
.dot { width: 8px; height: 8px; flex: none; border-radius: 50%; background: ${COLOURS.down}; }
.dot.fair { background: ${COLOURS.up}; }
.dot.poor { background: ${COLOURS.bad}; }
.dot.off { background: ${COLOURS.dim}; }
.dot.live { background: ${COLOURS.bad}; }
@media (prefers-reduced-motion: no-preference) {
  .dot.live { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.35; } }
  .panel { animation: rise 0.16s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(6px); } }
}

header {
  display: flex;
  align-items: center;
  gap: 10px;
  min-height: 44px;
  padding: 0 4px 0 14px;
  cursor: grab;
  touch-action: none;
  user-select: none;
  -webkit-user-select: none;
}
header:active { cursor: grabbing; }
header b { font-weight: 650; font-size: 13px; }
header .rates { flex: 1; color: ${COLOURS.dim}; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
header .rates i { font-style: normal; }
.down { color: ${COLOURS.down}; }
.up { color: ${COLOURS.up}; }
.bad { color: ${COLOURS.bad}; }
.ideal { color: ${COLOURS.ideal}; }
.icon { display: grid; place-items: center; width: 36px; height: 36px; border-radius: 9px; color: ${COLOURS.dim}; }
.icon:hover { color: ${COLOURS.text}; background: rgb(255 255 255 / 0.07); }
.icon svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

nav { display: flex; gap: 2px; padding: 0 10px; border-bottom: 1px solid ${COLOURS.line}; }
nav button { position: relative; flex: 1; min-height: 36px; color: ${COLOURS.dim}; font-weight: 550; }
nav button:hover { color: ${COLOURS.text}; }
nav button[aria-selected='true'] { color: ${COLOURS.text}; }
nav button[aria-selected='true']::after {
  content: '';
  position: absolute;
  inset: auto 12px -1px;
  height: 2px;
  border-radius: 2px;
  background: ${COLOURS.down};
}
nav .dot { display: inline-block; margin-right: 6px; }

main { flex: 1; min-height: 0; padding: 12px 14px 14px; overflow: auto; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: rgb(255 255 255 / 0.2) transparent; }
h3 { display: flex; align-items: baseline; gap: 8px; font-size: 12px; font-weight: 600; }
h3 small { margin-left: auto; color: ${COLOURS.dim}; font-weight: 450; font-size: 11px; white-space: nowrap; }
h3 + canvas { margin-top: 5px; }
canvas { display: block; width: 100%; height: 52px; border-radius: 7px; background: rgb(255 255 255 / 0.035); }
canvas.tall { height: 72px; }
section + section, .buttons + section { margin-top: 14px; }
.hint { color: ${COLOURS.dim}; }
.hint + .hint { margin-top: 6px; }

dl { display: grid; grid-template-columns: 1fr 1fr; gap: 0 18px; }
dl div { display: flex; justify-content: space-between; gap: 8px; padding: 4px 0; border-top: 1px solid ${COLOURS.line}; }
dl div:nth-child(-n + 2) { border-top: 0; }
dt { color: ${COLOURS.dim}; }
dd { font-weight: 550; white-space: nowrap; }

.switch { display: inline-flex; margin-left: auto; padding: 2px; border-radius: 8px; background: rgb(255 255 255 / 0.06); }
.switch button { min-height: 26px; padding: 0 10px; border-radius: 6px; color: ${COLOURS.dim}; font-weight: 550; }
.switch button[aria-pressed='true'] { color: ${COLOURS.text}; background: rgb(255 255 255 / 0.12); }
h3 .switch small { margin: 0; }

.rows { margin-top: 6px; }
.row {
  display: grid;
  grid-template-columns: 14px minmax(0, 1fr) auto 44px;
  align-items: center;
  gap: 6px;
  width: 100%;
  min-height: 28px;
  padding: 0 2px;
  border-radius: 6px;
  text-align: left;
}
button.row:hover { background: rgb(255 255 255 / 0.05); }
.row .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 550; }
.row.field .name { font-weight: 400; color: #ccd1de; }
.row.field { min-height: 24px; padding-left: 14px; }
.row .amount { color: ${COLOURS.dim}; white-space: nowrap; }
.row .part { text-align: right; }
.row .swatch { width: 9px; height: 9px; border-radius: 3px; }
.row svg.swatch { display: block; overflow: visible; }
.bar { display: block; grid-column: 2 / -1; width: 100%; height: 3px; margin-top: -4px; border-radius: 2px; overflow: hidden; background: rgb(255 255 255 / 0.05); }

input[type='search'], select {
  width: 100%;
  min-height: 34px;
  padding: 0 10px;
  border: 1px solid rgb(255 255 255 / 0.12);
  border-radius: 8px;
  color: inherit;
  background: rgb(255 255 255 / 0.05);
  font: inherit;
}
input::placeholder { color: ${COLOURS.dim}; }
select { width: auto; }
select option { color: #111; }
.objects { max-height: 232px; margin: 8px -6px 0; overflow: auto; scrollbar-width: thin; scrollbar-color: rgb(255 255 255 / 0.2) transparent; }
.object { display: grid; grid-template-columns: 46px minmax(0, 1fr) auto auto; gap: 8px; align-items: center; width: 100%; min-height: 30px; padding: 0 8px; border-radius: 7px; text-align: left; }
.object:hover { background: rgb(255 255 255 / 0.05); }
.object[aria-pressed='true'] { background: rgb(95 211 198 / 0.16); }
.object .id { color: ${COLOURS.dim}; }
.object b { font-weight: 550; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tag { padding: 1px 7px; border-radius: 20px; background: rgb(255 255 255 / 0.08); color: #cdd2de; font-size: 11px; white-space: nowrap; }
.tag.yours { background: rgb(243 181 98 / 0.2); color: ${COLOURS.up}; }
.tag.alive { background: rgb(95 211 198 / 0.15); color: ${COLOURS.down}; }
.tag.quiet { background: none; color: ${COLOURS.dim}; padding: 0; }
.fields { margin-top: 10px; padding-top: 10px; border-top: 1px solid ${COLOURS.line}; }
.fields h3 { margin-bottom: 6px; }
.fields h3 .tag { font-weight: 450; }
.fieldview { display: grid; grid-template-columns: minmax(0, 104px) minmax(0, 1fr) auto; gap: 10px; align-items: baseline; padding: 4px 0; border-top: 1px solid ${COLOURS.line}; }
.fieldview .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: #ccd1de; }
.fieldview .value { font-weight: 550; overflow-wrap: anywhere; }
.fieldview.unseen .value { color: ${COLOURS.dim}; font-weight: 400; }

.slider { display: grid; grid-template-columns: 58px minmax(0, 1fr) 62px; gap: 10px; align-items: center; min-height: 38px; }
.slider output { text-align: right; font-weight: 550; }
.slider span { color: ${COLOURS.dim}; }
input[type='range'] { width: 100%; height: 28px; margin: 0; accent-color: ${COLOURS.down}; touch-action: pan-y; }
input[type='range'].up { accent-color: ${COLOURS.up}; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 10px; }
.button { display: inline-flex; align-items: center; gap: 7px; min-height: 36px; padding: 0 14px; border-radius: 9px; background: rgb(255 255 255 / 0.09); font-weight: 550; }
.button:hover { background: rgb(255 255 255 / 0.15); }
.button:disabled { opacity: 0.45; cursor: default; }
.button.main { background: ${COLOURS.down}; color: #08211e; }
.button.main:hover { background: #7be0d5; }
.button.record { background: ${COLOURS.bad}; color: #2b0906; }
.button.record:hover { background: #ff978c; }
.button[aria-pressed='true'] { box-shadow: inset 0 0 0 1.5px ${COLOURS.down}; }
.button.small { min-height: 30px; padding: 0 10px; }
.player { margin: 10px 0 14px; padding: 12px; border-radius: 10px; background: rgb(255 255 255 / 0.045); }
.player .scrub { display: flex; align-items: center; gap: 10px; }
.player .scrub output { min-width: 84px; text-align: right; white-space: nowrap; }
.player .round { display: grid; place-items: center; width: 38px; height: 38px; flex: none; border-radius: 50%; background: ${COLOURS.down}; color: #08211e; }
.player .round svg { width: 16px; height: 16px; fill: currentColor; }
.error { margin-top: 10px; color: ${COLOURS.bad}; overflow-wrap: anywhere; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

@media (max-width: 560px) {
  .panel { inset: auto 8px 8px !important; width: auto; max-width: none; max-height: min(58dvh, 520px); }
  nav button { min-height: 42px; }
  header { cursor: default; }
  .object, .row { min-height: 36px; }
  .objects { max-height: 170px; }
}
`
