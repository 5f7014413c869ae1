import { SdkForTest } from "./sdk-for-test.js";

export default function Page() {
  return <SdkForTest />;
}
