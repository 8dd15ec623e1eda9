/** What client programs always send beside model, prompt and files, and what the page and the wire contract name as usual. */
export const clientBodies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a minute in 720p': { duration: '60s', aspect_ratio: '16:9', resolution: '720p' },
  'five seconds in 3:4': { duration: '5', aspect_ratio: '3:4', resolution: '720p' },
  'five seconds in 1080p': { duration: '5s', resolution: '1080p' },
  '16:9 in 1080p': { aspect_ratio: '16:9', resolution: '1080p' },
  'model and prompt': {},
  'numbers, and an operation as mode': { duration: 8, aspect_ratio: '9:16', mode: 'text-to-video', seed: 0 },
  'seconds and size': { seconds: '4', size: '1280x720' },
  'every switch off': {
    duration: 5,
    orientation: 'landscape',
    generateAudio: false,
    enhancePrompt: false,
    pro_mode: false,
    enable_prompt_expansion: false,
    camera_fixed: false,
    showExplicitContent: false,
  },
  'auto and a random seed': { duration: '10s', aspect_ratio: 'auto', resolution: '480p', seed: -1 },
  'camel case': { duration: 6, aspectRatio: '1:1', negativePrompt: 'rain', numFrames: 81, guidanceScale: 5 },
}
