/** Entry of databench.mjs. */

import { api } from './api';

export * from './main';
export default api;
