import { defineConfig } from 'vitest/config';

// In a real browser against a real service: AIGE_URL says where it runs.
export default defineConfig({
  test: {
    include: ['tests/e2e/**/*.spec.ts'],
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
