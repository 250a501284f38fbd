import { pipes } from 'bitecs-pipes/vite'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [pipes()] })
