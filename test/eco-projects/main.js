// What the page of each project does: it hands the SDK to the test.
import { openSession } from "nearside";

globalThis.openSession = openSession;
