// Puts what npm fetched where the product looks for it: browser bundles, OPC UA nodesets, fonts and their notices.
// Islands of our own are every mes/site/src/*.ts and mes/terminals/<screen>/island.ts; each becomes mes/_web/<name>.js.
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const modules = "node_modules";
const web = "mes/_web";
const fonts = "mes/_fonts";
const nodesets = "mes/plc/_nodesets";

const copies = {
  [`${web}/uplot.css`]: "uplot/dist/uPlot.min.css",
  [`${fonts}/NotoSansSC-Regular.ttf`]: "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
  [`${fonts}/NotoSansSC-Bold.ttf`]: "@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf",
  [`${fonts}/LICENSE-OFL.txt`]: "@expo-google-fonts/noto-sans-sc/LICENSE_FONT",
  [`${nodesets}/opc.ua.isa95-jobcontrol.nodeset2.xml`]:
    "node-opcua-nodesets/nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml",
  [`${nodesets}/LICENSE`]: "node-opcua-nodesets/LICENSE",
};

async function islands() {
  const found = {};
  if (existsSync("mes/site/src"))
    for (const name of await readdir("mes/site/src"))
      if (name.endsWith(".ts") && !name.endsWith(".d.ts")) found[name.slice(0, -3)] = join("mes/site/src", name);
  if (existsSync("mes/terminals"))
    for (const screen of await readdir("mes/terminals")) {
      const entry = join("mes/terminals", screen, "island.ts");
      if (existsSync(entry)) found[screen] = entry;
    }
  return found;
}

async function notices() {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8"));
  const parts = ["Third-party parts that are shipped with precast-mes, made from package-lock.json.\n"];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === "" || entry.dev) continue;
    const names = (await readdir(path)).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(path, name), "utf8")));
    const title = `${path.replace(/^.*node_modules\//, "")} ${entry.version} (${entry.license ?? "see below"})`;
    parts.push([title, "=".repeat(title.length), ...texts].join("\n"));
  }
  await writeFile(`${web}/THIRD-PARTY.txt`, parts.join("\n\n"));
}

for (const folder of [web, fonts, nodesets]) {
  await rm(`${folder}/.stamp`, { force: true });
  await mkdir(folder, { recursive: true });
}
for (const [to, from] of Object.entries(copies)) {
  await mkdir(dirname(to), { recursive: true });
  await cp(join(modules, from), to);
}
const entries = { htmx: `${modules}/htmx.org/dist/htmx.js`, uplot: `${modules}/uplot/dist/uPlot.esm.js` };
await build({
  entryPoints: { uplot: entries.uplot, ...(await islands()) },
  outdir: web, bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning",
});
// htmx is a classic script that puts itself on window: it must not be wrapped into a module.
await build({ entryPoints: { htmx: entries.htmx }, outdir: web, minify: true, charset: "utf8", logLevel: "warning" });
await notices();
await writeFile(`${web}/.stamp`, "");
