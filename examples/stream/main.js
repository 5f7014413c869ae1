// Reads what a video shows, frame by frame: as fast as the model is, and always the newest one.
import { frames, image, openSession } from "nearside";

const session = await openSession("/models/digits/model.json");
const video = document.querySelector("video");
video.srcObject = document.querySelector("canvas").captureStream(); // or a camera's, by navigator.mediaDevices
await video.play();

const inputs = async () => ({ image: await image(video, { size: 28, channels: "grey" }) });
for await (const { outputs } of session.stream(frames(video), { inputs })) {
  const { data } = outputs.probabilities;
  document.querySelector("output").textContent = `${session.backend}: ${data.indexOf(Math.max(...data))}`;
}
