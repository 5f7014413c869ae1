// Converts the SavedModels that the page imports.
import { nearside } from "nearside/vite";

export default { plugins: [nearside({ types: false })] }; // no TypeScript here
