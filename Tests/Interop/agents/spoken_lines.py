"""What is said in the spoken dialogue, for the agent that answers and for the test that listens."""

# Voiced throughout: nothing that a detector of voices takes for the end.
WEATHER, GOODBYE = "what will the weather be today", "i am going now goodbye"
# So long that the caller comes in between.
FORECAST = (
    "the weather today is warm and sunny with a gentle wind from the south later in the evening clouds will come over the "
    "mountains and the night will be cold and dry tomorrow morning"
)
FAREWELL = "all right goodbye and have a pleasant evening"
ANSWERS = {WEATHER: FORECAST, GOODBYE: FAREWELL}
# What either side could hear instead, so that nothing is recognised for want of a choice.
OTHER_QUESTIONS = ["please tell me a story", "how much does it cost", "i would like to order a pizza"]
OTHER_ANSWERS = ["please say that again", "there is nobody here", "please hold the line"]
