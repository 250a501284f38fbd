/** `node --import bitecs-pipes/register server.js`: `.dc` files can be imported, as with the Vite plugin. */
import module from 'node:module'
import * as hooks from './register-hooks.ts'

/** Node 20 has no `registerHooks`, which newer versions prefer. */
const { registerHooks } = module as { readonly registerHooks?: (given: typeof hooks) => unknown }

if (registerHooks) registerHooks(hooks)
else module.register('./register-hooks.js', import.meta.url)
