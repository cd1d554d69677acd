import * as core from '@gradpack/core';
import * as firstOrder from '@gradpack/extensions-firstorder';
import * as secondOrder from '@gradpack/extensions-secondorder';
import * as layers from '@gradpack/layers';
import * as losses from '@gradpack/losses';
import { expect, test } from 'vitest';
import * as umbrella from '../src/index.js';

test.each(Object.entries({ core, layers, losses, firstOrder, secondOrder }))('has everything of %s', (_, part) => {
  for (const [name, value] of Object.entries(part)) expect(umbrella).toHaveProperty(name, value);
});
