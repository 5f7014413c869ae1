// Serves what convert.mjs wrote, beside the page.
export default { publicDir: "../out" };
