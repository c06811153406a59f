// The inbox is shown on its page and counted in the navigation: one state for both.

import { api } from './api/client';
import { Loader } from './loader.svelte';

export const inbox = new Loader(() => api.inbox(null));
