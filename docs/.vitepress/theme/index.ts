import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import Figure from './Figure.vue'
import './style.css'

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => void app.component('Figure', Figure),
} satisfies Theme
