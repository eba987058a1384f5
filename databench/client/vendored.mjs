/**
 * Files of other projects that Databench sends to browsers, copied from their npm packages.
 */

import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FILES = {
  d3: ['LICENSE', 'd3.min.js'],
  jquery: ['LICENSE.txt', 'dist/jquery.min.js'],
  temml: ['LICENSE', 'dist/temml.min.js', 'dist/Temml-Local.css', 'dist/Temml.woff2'],
  '@fontsource/stix-two-math': ['LICENSE', 'files/stix-two-math-latin-400-normal.woff2'],
};

function* pairs(root, folder) {
  for (const [name, files] of Object.entries(FILES)) {
    for (const file of files) {
      yield [join(root, 'node_modules', name, file), join(folder, basename(name), basename(file))];
    }
  }
}

/** Copies them into a folder, one folder for each project. */
export function copyVendored(root, folder) {
  for (const [from, to] of pairs(root, folder)) {
    mkdirSync(join(to, '..'), { recursive: true });
    copyFileSync(from, to);
  }
}

/**
 * Names the files that are not what the packages hold.
 *
 * If a package is not installed, its files cannot be checked; with CI set that is a fault.
 */
export function staleVendored(root, folder) {
  const stale = [];
  for (const [from, to] of pairs(root, folder)) {
    if (existsSync(from)) {
      if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) stale.push(to);
    } else if (process.env.CI) {
      stale.push(to);
    } else {
      console.error(`${to}: not checked, its package is not installed: npm ci`);
    }
  }
  return stale;
}
