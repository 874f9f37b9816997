/** Time zones that differ in how they change their clocks: not at all, by an hour in either hemisphere, by half an hour, at midnight. */
export const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kolkata',
  'UTC',
] as const;
