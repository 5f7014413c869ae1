import { nearside } from "nearside/vite";

export default { plugins: [nearside()] };
