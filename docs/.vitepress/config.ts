import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';

/** The guide's pages in the order of their `order:` line, titled by their first heading. */
function guide() {
  const folder = new URL('../guide/', import.meta.url);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const name = file.replace(/\.md$/, '');
      return {
        text: /^# (.+)$/m.exec(text)?.[1] ?? name,
        link: `/guide/${name}`,
        order: Number(/^order: (\d+)$/m.exec(text)?.[1] ?? 99),
      };
    })
    .sort((a, b) => a.order - b.order || a.text.localeCompare(b.text))
    .map(({ text, link }) => ({ text, link }));
}

/** The packages alone: each page carries the whole sidebar. `gradpack` is left out (typedoc.json), since it is all the others again. */
function api() {
  const file = new URL('../api/typedoc-sidebar.json', import.meta.url);
  if (!existsSync(file)) return [];
  const packages: { text: string; link?: string }[] = JSON.parse(readFileSync(file, 'utf8'));
  return packages.map(({ text }) => ({ text, link: `/api/${text}/` }));
}

const source = (runtime: 'browser' | 'node') => ['@gradpack/source', 'module', runtime, 'development|production'];

export default defineConfig({
  title: 'GradPack',
  description: 'More than the gradient from one backward pass, in TypeScript',
  ignoreDeadLinks: false,
  markdown: { math: true },
  cleanUrls: true,
  srcExclude: ['**/README.md'],
  themeConfig: {
    search: { provider: 'local' },
    sidebar: [
      { text: 'Guide', items: guide() },
      { text: 'API', items: api() },
    ],
  },
  vite: {
    // live examples run on the packages' sources
    resolve: { conditions: source('browser') },
    ssr: { noExternal: [/^@gradpack\//, 'gradpack'], resolve: { conditions: source('node') } },
  },
});
