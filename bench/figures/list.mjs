// What `npm run figures` measures, in the order of the page.

/**
 * A plot of one benchmark's rows: bars of `x` for each `y`, in a panel for each `panel`; or, with `line`, points of `y` over `x`.
 *
 * @typedef {object} PlotOf
 * @property {string} title
 * @property {string} x
 * @property {string} y
 * @property {string} [panel]
 * @property {boolean} [line]
 * @property {string} [series] whose values are lines of their own
 * @property {(row: Record<string, any>) => boolean} [only]
 */

/**
 * @typedef {object} Figure
 * @property {string} id file name
 * @property {string} title
 * @property {string} about what the numbers mean, and what to trust of them
 * @property {string} command as anybody can run it
 * @property {string} [quick] the same, much shorter: a look whether it works
 * @property {readonly PlotOf[]} [plots]
 */

/** @type {readonly Figure[]} */
export const figures = [
  {
    id: 'replication',
    title: 'Bytes and server CPU beside other libraries',
    about:
      'The same scenes, a process for each library, in turns of 20 ticks so that a busy machine hits all alike; every value that clients ' +
      'decode is verified. Trust the ratios more than the microseconds. `cubes`: 901 cubes with 60 snapshots a second; `arena200` and ' +
      '`arena2000`: avatars that walk, 20 a second.',
    command: 'npm run bench:replication -- --scenes cubes,arena200,arena2000 --clients 64',
    quick: 'npm run bench:replication -- --scenes arena200 --clients 4 --ticks 80',
    plots: [
      { title: 'kB a second to each client', x: 'kB/s per client', y: 'peer', panel: 'scene' },
      { title: 'Server, microseconds a tick for all clients (p50)', x: 'us/tick p50', y: 'peer', panel: 'scene' },
    ],
  },
  {
    id: 'growth',
    title: 'How a tick grows',
    about:
      'With clients and with objects: zones of 25 objects, a client sees 3 x 3 of them. What is encoded for one client is not encoded again ' +
      'for the next.',
    command: 'npm run bench:replication -- growth --clients 1,16,64,256 --objects 1000 --moving 1,0.1',
    quick: 'npm run bench:replication -- growth --clients 1,4 --objects 100 --moving 1 --ticks 20',
    plots: [
      {
        title: 'Microseconds a tick, 1,000 objects',
        x: 'clients',
        y: 'us in all',
        series: 'moving, %',
        line: true,
      },
    ],
  },
  {
    id: 'codec',
    title: 'The segment codec',
    about:
      'Bits and nanoseconds for each object that changed, on recordings of a physics engine (Rapier) that its tables were not trained on. ' +
      '`ages`: ticks back to the first and from there to the second baseline. In a process in which no buffer was ever detached: where a ' +
      'WebAssembly module’s memory has grown, as physics engines’ does, V8 checks each use of each array.',
    command: 'node scripts/run.mjs bench/codec.ts',
  },
  {
    id: 'cubes-link',
    title: '901 cubes end to end',
    about:
      'Whole packets with acknowledgements over a link of 96 ms round trip that loses 1 % both ways, by how many sends state may build on ' +
      '(`depth`); tables trained on other recordings.',
    command: 'node scripts/run.mjs bench/cubes-link.ts',
  },
  {
    id: 'codec-clients',
    title: 'Encoding for many clients of one zone',
    about:
      'All distinct encodings of a tick, over the baselines that clients on four kinds of links have; packing is what each client costs besides.',
    command: 'node scripts/run.mjs bench/codec-clients.ts',
  },
  {
    id: 'messages',
    title: 'How long reliable messages take',
    about:
      'Ten messages of 200 bytes a second each way beside 20 states a second, round trip 50 ms, on virtual time over links that lose.',
    command: 'node scripts/run.mjs bench/messages.ts --link memory --seconds 60',
  },
  {
    id: 'messages-geckos',
    title: 'The same through real geckos.io',
    about: 'A process each for server and clients, and a UDP relay that drops.',
    command: 'node scripts/run.mjs bench/messages.ts',
  },
  {
    id: 'link',
    title: 'How old the shown state is on bad links',
    about:
      'Through real geckos.io, a process each for server and clients, and a UDP relay that drops, delays and queues; beside it the same ' +
      'bytes sent without waiting for acknowledgements, at the same time.',
    command: 'node scripts/run.mjs bench/link.ts',
    quick: 'node scripts/run.mjs bench/link.ts --seconds 2 --only clean --clients 1',
    plots: [{ title: 'Milliseconds, p95', x: 'p95, ms', y: 'sent', panel: 'link' }],
  },
  {
    id: 'interpolation',
    title: 'How smooth remote motion is',
    about:
      'A simulator with clocks that drift, five networks, and known true motion: error of the smooth motion at the time that is shown, ' +
      'judder (share of frames whose step is off), backward frames, and how well the clock of the server is known.',
    command: 'npm run build && node scripts/run.mjs bench/interp.ts --seeds 5',
    quick: 'npm run build && node scripts/run.mjs bench/interp.ts --seeds 1 --duration 20',
    plots: [
      { title: 'Error of smooth motion, mm', x: 'error mm', y: 'by', panel: 'network' },
      { title: 'Delay, ms', x: 'delay ms', y: 'by', panel: 'network' },
    ],
  },
  {
    id: 'interpolation-cpu',
    title: 'What interpolation costs',
    about: 'A frame in which every entity moves, sampled from histories and written into columns.',
    command: 'npm run build && node bench/interp-cpu.mjs',
    quick: 'npm run build && node bench/interp-cpu.mjs 1000',
  },
  {
    id: 'dc',
    title: 'The DC language',
    about: 'Parsing and hashing a file of the size of the largest known ones; packing and unpacking typical messages.',
    command: 'npm run build && node scripts/run.mjs bench/dc.ts',
    quick: 'npm run build && node scripts/run.mjs bench/dc.ts 0.1',
  },
  {
    id: 'lobby',
    title: 'The demo',
    about: 'Clients that walk about in the lobby as a page of 1280 x 800 would, over real geckos.io on one machine.',
    command: 'node scripts/run.mjs bench/lobby.ts --clients 24',
    quick: 'node scripts/run.mjs bench/lobby.ts --clients 2 --seconds 2',
  },
  {
    id: 'size',
    title: 'What the client adds to a page',
    about: 'Bundled and minified with all its features, without bitECS.',
    command: 'npm run size',
  },
]
