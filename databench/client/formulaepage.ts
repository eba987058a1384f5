/** The entry of formulae.js. */

import { run } from './formulae';

const base = (document.currentScript as HTMLScriptElement).src;
if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', () => run(base));
else void run(base);
