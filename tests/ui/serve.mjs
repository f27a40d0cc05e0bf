// Bundles the page and serves it on 127.0.0.1. Its origin differs from the emulator's.
import { build } from 'esbuild';
import { createServer } from 'node:http';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCUMENT = `<!doctype html>
<meta charset="utf-8">
<title>Talk</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<style>#root { position: fixed; inset: 8px; }</style>
<div id="root"></div>
<script type="module" src="/page.js"></script>
`;

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/** Bundles the page, serves it and returns its address. */
export async function serve() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.jsx', import.meta.url))],
    outdir: 'memory',
    write: false,
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const files = new Map(outputFiles.map((file) => [basename(file.path), file.contents]));
  files.set('index.html', DOCUMENT);

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const contents = files.get(name);
    if (contents === undefined) {
      response.writeHead(404).end();
    } else {
      response.writeHead(200, { 'content-type': TYPES[extname(name)] }).end(contents);
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${server.address().port}/`;
}
