import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import llmstxt from 'vitepress-plugin-llms'
import { apiSidebar } from './api-sidebar.ts'
import { documentLinks } from './documents.ts'
import { fileNames } from './file-names.ts'

const dcGrammar = JSON.parse(
  readFileSync(new URL('../../editors/vscode/syntaxes/dc.tmLanguage.json', import.meta.url), 'utf8'),
)

const page = (text: string, link: string) => ({ text, link })

const guide = [
  {
    text: 'Begin',
    items: [page('What it is', '/what'), page('Five-minute start', '/start'), page('Everyday calls', '/calls')],
  },
  {
    text: 'Concepts',
    items: [
      page('Objects and entities', '/concepts/objects'),
      page('Schemas', '/concepts/schema'),
      page('Zones and interest', '/concepts/zones'),
      page('The two timelines', '/concepts/time'),
      page('Authority and permissions', '/concepts/authority'),
      page('Messages', '/concepts/messages'),
      page('Bandwidth', '/concepts/bandwidth'),
    ],
  },
  {
    text: 'Recipes',
    items: [
      page('All recipes', '/recipes/'),
      page('Chat', '/recipes/chat'),
      page('Health bars', '/recipes/health-bars'),
      page('Projectiles by messages', '/recipes/projectiles'),
      page('Moving platform', '/recipes/moving-platform'),
      page('Doors and levers', '/recipes/doors'),
      page('Secrets and teams', '/recipes/secrets'),
      page('Items that are carried', '/recipes/carrying'),
      page('Lobby and rooms', '/recipes/rooms'),
      page('A large world', '/recipes/large-world'),
      page('Movement that is checked', '/recipes/checked-movement'),
      page('Input to an authoritative server', '/recipes/input'),
      page('What matters goes first', '/recipes/priority'),
      page('Losing the connection', '/recipes/reconnect'),
      page('Bots and listen servers', '/recipes/listen-server'),
      page('Tests and budgets in CI', '/recipes/ci'),
    ],
  },
  {
    text: 'Coming from',
    items: [
      page('Colyseus', '/coming-from/colyseus'),
      page('geckos.io alone', '/coming-from/geckos'),
      page('Panda3D', '/coming-from/panda3d'),
    ],
  },
  {
    text: 'In production',
    items: [
      page('Deployment', '/deployment'),
      page('Looking inside', '/looking-inside'),
      page('Troubleshooting', '/troubleshooting'),
    ],
  },
]

export default defineConfig({
  title: 'bitecs-pipes',
  description:
    'Distributed objects for bitECS over WebRTC: declare them, write typed arrays, every browser shows them.',
  lang: 'en',
  // For a site that is not at the root of its host: DOCS_BASE=/bitecs-pipes/ npm run docs:build
  base: process.env.DOCS_BASE ?? '/',
  cleanUrls: true,
  head: [
    ['link', { rel: 'icon', href: `${process.env.DOCS_BASE ?? '/'}mark.svg`, type: 'image/svg+xml' }],
    ['meta', { name: 'theme-color', content: '#1f8a70' }],
  ],
  markdown: {
    languages: [{ ...dcGrammar, name: 'dc' }],
    languageAlias: { caddy: 'nginx' },
    theme: { light: 'github-light', dark: 'github-dark' },
    config(md) {
      fileNames(md)
      documentLinks(md)
    },
  },
  themeConfig: {
    logo: '/mark.svg',
    search: { provider: 'local', options: { detailedView: true } },
    nav: [
      {
        text: 'Guide',
        link: '/start',
        activeMatch: '^/(start|what|concepts|coming-from|deployment|looking-inside|troubleshooting)',
      },
      { text: 'Recipes', link: '/recipes/', activeMatch: '^/recipes/' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
    ],
    sidebar: { '/reference/': apiSidebar(), '/': guide },
    outline: { level: [2, 3] },
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'BSD-3-Clause' },
  },
  vite: {
    // llms-full.txt, and each page as Markdown at its address with .md. llms.txt itself is written by hand.
    plugins: [llmstxt({ generateLLMsTxt: false, ignoreFiles: ['reference/api/**', 'node_modules/**'] })],
    server: { fs: { allow: ['..'] } },
  },
})
