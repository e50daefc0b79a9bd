select b.auction, b.bidder, b.price, b.date_time as dt, a.item_name, a.seller, a.category
from bid b join auction a on b.auction = a.id
where a.category = 10
