/** Who works on uploads: the setting `processing` (infrastructure/settings.ts). */
export const PROCESSING_WAYS = ['lambda', 'step-functions', 'step-functions-efs'] as const;

/** Who tells watchers besides the WebSocket API: the setting `broadcast`. */
export const BROADCAST_WAYS = ['none', 'iot-core'] as const;

/** What of the settings decides what a job costs. */
export interface Ways {
  readonly processing: (typeof PROCESSING_WAYS)[number];
  /** With `iot-core` the bill also says what it costs when all watchers are told by the broker. */
  readonly broadcast: (typeof BROADCAST_WAYS)[number];
}

/** What is deployed where nothing else is asked for. */
export const DEFAULT_WAYS: Ways = { processing: 'lambda', broadcast: 'none' };
