// Reads the digit in a picture that was chosen: white on black, of any size.
import { image, openSession } from "nearside";

const session = await openSession("/models/digits/model.json");
const [input, output] = [document.querySelector("input"), document.querySelector("output")];
input.addEventListener("change", async () => {
  const picture = await image(input.files[0], { size: 28, channels: "grey" });
  const { probabilities } = await session.run({ image: picture });
  const { data } = probabilities;
  output.textContent = `${session.backend}: ${data.indexOf(Math.max(...data))}`;
});
input.disabled = false;
