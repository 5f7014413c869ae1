// Hands the SDK to the test, with the model that is imported here instead of the one that it names.
import { openSession } from "nearside";
import model from "./saved_model?nearside";

globalThis.openSession = (_url, options) => openSession(model, options);
