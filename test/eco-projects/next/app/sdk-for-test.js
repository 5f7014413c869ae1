"use client";
import { openSession } from "nearside";
import { useEffect } from "react";

export function SdkForTest() {
  useEffect(() => {
    globalThis.openSession = openSession;
  }, []);
  return <p>rendered on the server, too</p>;
}
